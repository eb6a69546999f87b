#!/bin/sh
# Puts the greeting into the page, then serves it until it is told to stop.
set -eu

safe=$(printf '%s' "$GREETING" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/[\\/&]/\\&/g')
sed -i "s/@GREETING@/$safe/g; s/@HOST@/$(hostname)/g" /www/index.html
echo 0 > /tmp/hits

echo "web listens on port 80"
httpd -f -p 80 -h /www &
# The first process of a container ends at a signal only if it has a handler for it.
trap 'echo "web stops"; kill $!; exit 0' TERM
wait $!
