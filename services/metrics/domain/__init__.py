"""The domain of metrics: counting events, definitions of indicators, hierarchies, figures. Pure."""
