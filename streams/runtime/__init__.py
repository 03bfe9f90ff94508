"""What drives the steps: embedded in one process, or over Kafka with faust."""
