"""Programs in containers: execs, attachments, and what runs."""
