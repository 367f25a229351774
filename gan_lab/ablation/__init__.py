"""What each technique is worth: one model without and with it, over several seeds, in one table."""
