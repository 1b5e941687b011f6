"""What an operator may change: settings, rules, areas, holidays. No product code."""
