"""Where records and outputs go: the topics of a broker."""
