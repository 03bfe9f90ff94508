"""From Alertmanager to a person: cards, a queue that loses nothing, receipts, escalation, the dead man's switch."""
