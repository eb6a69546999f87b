Every page shares one look: light and dark, on a desk and on a phone, with each component shown at /styleguide.
