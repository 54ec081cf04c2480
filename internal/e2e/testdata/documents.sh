# Comes before each block of shell lines of a document that TestDocumentsRun runs. It ends what would run for ever once that
# is well, and stands in for what this machine lacks, each with the reason.
set -euo pipefail

missingkbs() {
	case "$1 ${2-}" in
	"serve "*) until_ready ;;
	"sandbox --headless"*) command missingkbs "$@" ;;
	"sandbox "*) until_it_shows_its_address "${@:2}" ;;
	"ask --sign-in"*) ;; # a person signs in to Entra
	*) command missingkbs "$@" ;;
	esac
}

until_ready() {
	command missingkbs serve &
	local bot=$!
	until command missingkbs health --ready >health.txt 2>&1; do
		kill -0 $bot
		sleep 0.1
	done
	kill -TERM $bot
	wait $bot
}

until_it_shows_its_address() {
	command missingkbs sandbox --addr 127.0.0.1:0 "$@" >address.txt &
	local services=$!
	until grep -q http://127.0.0.1 address.txt; do
		kill -0 $services
		sleep 0.1
	done
	kill -TERM $services
	wait $services
}

go() {
	case "$*" in
	"run ./cmd/missingkbs "*) missingkbs "${@:3}" ;;
	"install ./cmd/missingkbs") ;; # the program is on the path already
	*) echo "documents.sh does not know: go $*" >&2 && return 1 ;;
	esac
}

# The target is there, and make can say what it would do; the gate runs it.
make() { command make -C "$ROOT" --dry-run "$@" >make.txt; }

# What a person has from blocks before, or fills in.
APP=app ISSUER=https://issuer.example PRINCIPAL=principal

# Needs a tenant, and changes it. What it is given as JSON is that.
az() {
	while (($#)); do
		case "$1" in --body | --parameters) jq -e . <<<"$2" >az.txt ;; esac
		shift
	done
	echo 11111111-2222-4333-8444-555555555555
}

docker() { :; }    # needs a container engine; .ci/image builds the image and starts it
kubectl() { :; }   # needs a cluster
helm() { :; }      # the same; .ci/deploy renders the chart
sudo() { :; }      # asks systemd for a unit; TestDoctorIsToldToRunAsTheService holds the words to the service
systemctl() { :; } # the same
chown() { :; }     # needs root, and the user of the service
cosign() { :; }    # needs a published release, and asks the transparency log
sha256sum() { :; } # needs the archives of that release
