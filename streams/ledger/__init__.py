"""The ledger: alerts, their life, the audit chain and what was scored, durable in one SQLite file."""
