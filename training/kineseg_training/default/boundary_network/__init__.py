"""The boundary network: trained on streams whose boundaries are known because they were made."""
