"""Plain sentences for staff, Chinese first and English beside: what an alert says, why there is none."""
