"""How SendGrid is asked."""
