"""What can happen to people: each function changes the truth and says which source rows that touches."""
