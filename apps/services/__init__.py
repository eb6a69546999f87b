"""Services and containers: what is observed of them."""
