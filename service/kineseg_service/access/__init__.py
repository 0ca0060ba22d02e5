"""Who may do what: callers, their tenants and roles."""
