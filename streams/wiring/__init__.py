"""Everything that a command needs, built in one place: a module a subject."""
