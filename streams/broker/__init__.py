"""Apache Kafka as jiantu uses it: how to connect, names of topics, which partition is whose, what went wrong."""
