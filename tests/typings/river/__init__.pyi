"""What jiantu uses of river, whose own types are partly missing."""

__version__: str
