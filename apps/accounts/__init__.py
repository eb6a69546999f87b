"""Users, teams, roles, invitations and the audit log."""
