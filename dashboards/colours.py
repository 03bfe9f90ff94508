"""Colours that people tell apart whatever their eyes: Okabe and Ito's set, on Grafana's dark and light themes alike.

One meaning a colour on all boards. Nothing is said by colour alone: a word or a number stands beside it.
"""

from typing import Final

COUNT: Final = "#0072B2"
"""What was counted."""
EXPECTED: Final = "#E69F00"
"""What was expected."""
BAND: Final = "#56B4E9"
"""Between what it was expected."""
CALM: Final = "#009E73"
"""As it should be."""
NOTICE: Final = "#E69F00"
"""Somebody should look, today."""
ALARM: Final = "#D55E00"
"""Somebody should look, now."""
SECOND: Final = "#CC79A7"
"""A second thing of the same kind."""
NONE: Final = "#7F7F7F"
"""Nothing to say: no data, or fewer than k people."""
