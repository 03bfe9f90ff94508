"""Apache Kafka as jiantu uses it: settings of a connection, names of topics, which partition is whose, what went wrong."""
