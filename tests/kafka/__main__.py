"""`make kafka`: a broker in the foreground, on free ports. Ctrl-C ends it, and removes everything that it made."""

import signal
import sys
import tempfile
from pathlib import Path

from tests.kafka.server import NotStartedError, Server


def main() -> int:
    """Start, say where, wait."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="jiantu-kafka-") as folder:
        server = Server(Path(folder) / "broker", remove=True)
        try:
            server.start()
            print(f"Apache Kafka 4.1.1 · {server.bootstrap} · 日志 log {server.log}", flush=True)
            print(
                f"\n  export JIANTU_KAFKA_BROKERS={server.bootstrap}\n  jiantu topics apply --replication 1\n",
                flush=True,
            )
            print("Ctrl-C 停止并清除 stops it and removes everything it made", flush=True)
            server.wait()
        except KeyboardInterrupt:
            return 0
        except NotStartedError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            server.kill()
        print(f"停了 it ended by itself:\n{server.last_words()}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
