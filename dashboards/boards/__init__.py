"""One module a board: `build(say)` gives it in one language."""
