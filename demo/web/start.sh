#!/bin/sh
# Puts the greeting into the page, then serves it in the foreground, logging each request.
set -eu

safe=$(printf '%s' "$GREETING" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/[\\/&]/\\&/g')
sed -i "s/@GREETING@/$safe/g; s/@HOST@/$(hostname)/g" /www/index.html
echo 0 > /tmp/hits

echo "web listens on port 80"
exec httpd -f -v -p 80 -h /www
