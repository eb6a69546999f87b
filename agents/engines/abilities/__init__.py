"""What some engines can do and others cannot: a protocol each, asked for by ``isinstance``."""
