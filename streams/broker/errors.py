"""What can go wrong between us and a broker, as words: what, where, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors


class BrokerError(Exception):
    """A broker or a topic that cannot be used as it is: `where: what; what to do`."""

    def __init__(self, where: str, what: str, instead: str) -> None:
        super().__init__(f"{where}: {what}; {instead}")
        self.where = where
        self.what = what
        self.instead = instead


class TopicError(BrokerError):
    """A topic that does not hold what it should: an operator has to look before anything goes on."""


@contextmanager
def told(where: str) -> Iterator[None]:
    """Whatever kafka-python raises inside, as a BrokerError; `where`: the brokers, or the topic."""
    try:
        yield
    except errors.SaslAuthenticationFailedError as error:
        raise BrokerError(where, "the password or user is refused", "check JIANTU_KAFKA_SASL_*") from error
    except (errors.TopicAuthorizationFailedError, errors.GroupAuthorizationFailedError) as error:
        what = f"this user may not do that ({type(error).__name__})"
        raise BrokerError(where, what, "give it the ACL: `jiantu topics plan` shows them") from error
    except errors.MessageSizeTooLargeError as error:
        raise BrokerError(where, "a record is larger than the topic takes", "raise its max.message.bytes") from error
    except errors.InvalidTimestampError as error:
        what = "a record's time is further ahead than the topic takes"
        raise BrokerError(where, what, "raise the topic's message.timestamp.after.max.ms") from error
    except (errors.KafkaTimeoutError, errors.KafkaConnectionError) as error:
        what = f"no broker answers ({error})"
        raise BrokerError(where, what, "check the address and that it is running; the same call goes on") from error
    except errors.KafkaError as error:
        raise BrokerError(where, f"{type(error).__name__}: {error}", "see the broker's own log") from error
