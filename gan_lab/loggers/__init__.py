"""What writes figures and pictures down."""
