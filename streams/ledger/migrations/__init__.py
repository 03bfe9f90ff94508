"""How a database comes to have the ledger's tables: one step a version, applied by alembic, each whole or not at all.

A new version appends a file to `versions`, named and numbered after the last one; those that are there never change.
"""
