"""What Prometheus reads: the ledger as metrics, and nothing that narrows a cell below k people."""
