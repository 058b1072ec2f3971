"""Questions to sources that answer later: their ledger, and the ways in which they travel."""
