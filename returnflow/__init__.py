"""Return flow 回流: every consumer gets its own rows, and its own database says what it holds."""
