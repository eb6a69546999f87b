"""What all pages share: errors, request types, event registry, nudges; no tables."""
