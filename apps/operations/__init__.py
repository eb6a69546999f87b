"""One row for each requested act; the only sender and receiver of messages."""
