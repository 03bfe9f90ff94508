"""Making, labelling and judging recorded streams: simulate, labels, evaluate."""
