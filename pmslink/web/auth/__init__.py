"""Access control: tokens, sessions, permissions and the policy for listening addresses."""
