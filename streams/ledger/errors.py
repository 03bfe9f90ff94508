"""What can go wrong with a ledger, said so that whoever reads it knows what to do. None of it leaves it damaged."""


class LedgerError(Exception):
    """A ledger that cannot be used as asked: what is wrong, where, and what to do."""


class NotALedgerError(LedgerError):
    """There is no ledger here, or the file is something else."""


class UnknownAlertError(LedgerError):
    """No alert has this id, or several begin with it."""


class LedgerBusyError(LedgerError):
    """Another process that is alive writes this ledger."""


class LedgerTooNewError(LedgerError):
    """Written by a newer jiantu; left untouched."""


class LedgerLostError(LedgerError):
    """The database is not there (any more): nothing of the commit may be taken for written; it may be made again."""


class DiskFullError(LedgerError):
    """No room left: nothing of the commit was written, everything before it stands, and it may be made again."""


class StepRefusedError(LedgerError):
    """A step in an alert's life that is not possible from where it is, or is not said properly."""
