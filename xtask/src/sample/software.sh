# What is installed in samples/machine.qcow2: packages, those of languages, databases, containers.

# `installed PACKAGE VERSION [SOURCE [ARCHITECTURE]]` is a paragraph of dpkg's.
state='install ok installed'
installed() {
  printf 'Package: %s\nStatus: %s\nPriority: optional\nSection: misc\nInstalled-Size: 1024\n' "$1" "$state"
  printf 'Maintainer: Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>\nArchitecture: %s\n' "${4:-amd64}"
  if [ -n "${3:-}" ]; then printf 'Source: %s\n' "$3"; fi
  printf 'Version: %s\nDescription: a package of the sample\n\n' "$2"
}
{
  state='deinstall ok config-files' installed apache2 2.4.52-1ubuntu4.12
  installed apparmor 3.0.4-2ubuntu2.4
  installed apt 2.4.13
  installed bash 5.1-6ubuntu1.1
  installed btrfs-progs 5.16.2-1
  installed ca-certificates 20240203~22.04.1 '' all
  installed coreutils 8.32-4.1ubuntu1.2
  installed cron 3.0pl1-137ubuntu3
  installed docker.io 24.0.7-0ubuntu2~22.04.1
  installed dpkg 1.21.1ubuntu2.3
  installed libc6 2.35-0ubuntu3.8 glibc
  installed libssl3 3.0.2-0ubuntu1.18 openssl
  installed linux-image-5.15.0-122-generic 5.15.0-122.132 linux-signed
  installed linux-image-5.15.0-125-generic 5.15.0-125.135 linux-signed
  installed netplan.io 0.107.1-3ubuntu0.22.04.1
  installed nginx 1.18.0-6ubuntu14.5
  installed open-vm-tools 2:12.3.5-3~ubuntu0.22.04.1
  installed openjdk-17-jre-headless 17.0.13+11-2ubuntu1~22.04 openjdk-17
  installed openssh-server 1:8.9p1-3ubuntu0.10 openssh
  installed openssl 3.0.2-0ubuntu1.18
  installed postgresql-14 14.13-0ubuntu0.22.04.1
  installed python3 3.10.6-1~22.04.1 python3-defaults
  installed python3-requests 2.25.1+dfsg-2ubuntu0.1 requests all
  installed python3-yaml 5.4.1-1ubuntu1 pyyaml
  installed sudo 1.9.9-1ubuntu2.4
  installed systemd 249.11-0ubuntu3.12
  installed systemd-timesyncd 249.11-0ubuntu3.12 systemd
  installed ufw 0.36.1-4ubuntu0.1 '' all
  installed unattended-upgrades 2.8ubuntu1 '' all
  installed zlib1g 1:1.2.11.dfsg-2ubuntu9.2 zlib
} | put var/lib/dpkg/status
modules=usr/lib/python3/dist-packages
put $modules/PyYAML-5.4.1.egg-info <<'X'
Metadata-Version: 1.2
Name: PyYAML
Version: 5.4.1
Home-page: https://pyyaml.org/
License: MIT
X
put $modules/requests-2.25.1.egg-info/PKG-INFO <<'X'
Metadata-Version: 2.1
Name: requests
Version: 2.25.1
Home-page: https://requests.readthedocs.io
License: Apache 2.0
X
put var/lib/dpkg/info/python3-yaml.list <<< $'/.\n/usr/lib/python3/dist-packages/PyYAML-5.4.1.egg-info'
put var/lib/dpkg/info/python3-requests.list <<< $'/.\n/usr/lib/python3/dist-packages/requests-2.25.1.egg-info\n/usr/lib/python3/dist-packages/requests-2.25.1.egg-info/PKG-INFO'

# Programs of the house, which only a look at every file finds.
put opt/reports/venv/lib/python3.10/site-packages/Jinja2-3.1.4.dist-info/METADATA <<'X'
Metadata-Version: 2.1
Name: Jinja2
Version: 3.1.4
License: BSD-3-Clause
X
module() { put "srv/shop/node_modules/$1/package.json" <<< "{\"name\": \"$1\", \"version\": \"$2\", \"license\": \"$3\"}"; }
put srv/shop/package.json <<< '{"name": "shop", "private": true, "dependencies": {"express": "^4.18.0", "@fastify/cookie": "^9.0.0"}}'
module express 4.18.2 MIT
module lodash 4.17.20 MIT
module @fastify/cookie 9.3.1 MIT
# An archive that holds another, as Spring Boot packs them.
of_maven() {
  mkdir -p "META-INF/maven/$1/$2"
  printf 'groupId=%s\nartifactId=%s\nversion=%s\n' "$1" "$2" "$3" > "META-INF/maven/$1/$2/pom.properties"
  printf 'Manifest-Version: 1.0\r\nImplementation-Version: %s\r\n' "$3" > META-INF/MANIFEST.MF
  find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  find . -mindepth 1 ! -name '*.jar' | sort | zip -q -X -D -@ "$4"
}
mkdir -p jar/inner jar/outer/BOOT-INF/lib root/opt/orders
(cd jar/inner; of_maven org.apache.logging.log4j log4j-core 2.14.1 ../outer/BOOT-INF/lib/log4j-core-2.14.1.jar)
(cd jar/outer; of_maven org.example.shop orders 2.3.1 ../orders.jar; zip -q -X -D -0 ../orders.jar BOOT-INF/lib/*.jar)
cp jar/orders.jar root/opt/orders/orders-2.3.1.jar

# A cluster of PostgreSQL as Debian lays it out.
put var/lib/postgresql/14/main/PG_VERSION 600 <<< 14
put etc/postgresql/14/main/postgresql.conf <<< $'data_directory = \'/var/lib/postgresql/14/main\'\nport = 5432\nlisten_addresses = \'*\''
put etc/postgresql/14/main/start.conf <<< auto
put etc/nginx/nginx.conf <<< $'user www-data;\nevents {}\nhttp { include /etc/nginx/sites-enabled/*; }'
put etc/nginx/sites-enabled/shop <<< $'server {\n  listen 443 ssl;\n  server_name shop.example.org;\n  ssl_certificate tls/shop.example.org.pem;\n}'

# What Docker keeps of its images and containers. An image is called by the digest of its configuration.
docker=var/lib/docker/image/overlay2
image() {
  local config="{\"architecture\":\"amd64\",\"config\":{\"Cmd\":[\"$3\"]},\"created\":\"$4\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}"
  local digest; digest=$(printf %s "$config" | sha256sum | cut -d' ' -f1)
  mkdir -p root/$docker/imagedb/content/sha256
  printf %s "$config" > "root/$docker/imagedb/content/sha256/$digest"
  repositories+=("\"$1\":{\"$1:$2\":\"sha256:$digest\"}")
  last=sha256:$digest
}
# `container NAME IMAGE STARTED RUNNING HOST MOUNTS`
container() {
  local id; id=$(printf %s "$1" | sha256sum | cut -d' ' -f1)
  put "var/lib/docker/containers/$id/config.v2.json" 600 <<< "{\"ID\":\"$id\",\"Created\":\"2026-02-03T09:14:51.204113Z\",\"Path\":\"docker-entrypoint.sh\",\"Args\":[\"$1\"],\"Config\":{\"Image\":\"$2\",\"Env\":[\"TOKEN=invented\"]},\"Image\":\"$last\",\"Name\":\"/$1\",\"State\":{\"Running\":$4,\"StartedAt\":\"$3\"},\"MountPoints\":{$6}}"
  put "var/lib/docker/containers/$id/hostconfig.json" <<< "$5"
}
repositories=()
image redis 7.2 redis-server 2026-01-28T18:02:11Z
container cache redis:7.2 2026-02-03T09:14:52Z true '{"PortBindings":{"6379/tcp":[{"HostIp":"127.0.0.1","HostPort":"6379"}]},"RestartPolicy":{"Name":"unless-stopped"},"Privileged":false}' '"/data":{"Source":"/srv/cache","Destination":"/data","RW":true}'
image registry.example.org/watch 1.4 /watch 2025-12-01T07:30:00Z
container watch registry.example.org/watch:1.4 2026-02-03T09:14:53Z true '{"RestartPolicy":{"Name":"always"},"Privileged":true}' '"/var/run/docker.sock":{"Source":"/var/run/docker.sock","Destination":"/var/run/docker.sock","RW":false}'
put $docker/repositories.json 600 <<< "{\"Repositories\":{$(IFS=,; echo "${repositories[*]}")}}"
