#!/usr/bin/env bash
# The main job of Signet on SoftHSM tokens, from nothing to a recovered key. See README.md.
#
# usage: quickstart.sh BUILD_DIRECTORY DIRECTORY     run it, with everything in DIRECTORY
#        quickstart.sh --remove DIRECTORY            remove what a run left
set -Eeuo pipefail

if [ "${1:-}" = --remove ]; then
    if [ -f "$2/quickstart.complete" ] || [ -f "$2/quickstart.started" ]; then
        rm -rf -- "$2" && echo "Removed $2."
        exit 0
    fi
    echo "error: $2 was not made by the quickstart; nothing is removed" >&2
    exit 1
fi

build=$(cd "$1" && pwd)
checkout=$(cd "$(dirname "$0")/../.." && pwd)
directory=$2

if [ -f "$directory/quickstart.complete" ]; then
    echo "There is a complete quickstart in $directory already; it is left as it is."
    cat "$directory/quickstart.complete"
    exit 0
fi
if [ -e "$directory" ]; then
    echo "error: $directory exists, but the run that made it did not end" >&2
    echo "hint: look at it, then remove it with: make quickstart-clean" >&2
    exit 1
fi

module=$(ls /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so 2>/dev/null | head -n 1)
simulator=$build/libsignet-token-simulator.so
mkdir -m 700 "$directory" && cd "$directory"
here=$PWD
touch quickstart.started
PATH=$build:$PATH
step=0
daemon=

stop_daemon() { if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null && wait "$daemon" || true; daemon=; fi; }
failed() {
    echo >&2
    echo "error: the quickstart stopped in step $step; everything it made is in $here" >&2
    [ -s signetd.log ] && echo "hint: the service's log is $here/signetd.log" >&2
    stop_daemon
}
trap 'failed' ERR
trap 'stop_daemon' EXIT

# A heading, then each command as it is run.
say() { step=$((step + 1)); printf '\n\033[1m%2d  %s\033[0m\n' "$step" "$*"; }
run() {
    printf '    $ '
    printf '%s ' "${@@Q}" | sed -e "s/'\([A-Za-z0-9_.,:=@/+-]*\)'/\1/g"
    printf '\n'
    "$@" 2>&1 | sed 's/^/      /'
}

secret() { (umask 077; head -c 6 /dev/urandom | od -An -tu4 | tr -d ' \n' | cut -c1-8 >"$1"); }
# One SoftHSM directory a token, as if each were a device of its own.
softhsm() {
    mkdir -p -m 700 "tokens/$1"
    printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$here/tokens/$1" >"tokens/$1.conf"
}

# Two free ports: one for the enrolment pages, one for the publication points.
read -r port publication_port < <(python3 -c 'import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))')
mkdir -m 700 pins
for name in so root issuing kra alice key-password; do secret "pins/$name"; done

say 'Make three tokens: the root HSM, the issuing HSM, and a 32 KB smart card for the recovery agent'
for name in root issuing kra; do softhsm "$name"; done
cat >root-token.yaml <<END
module: $module
module-environment: {SOFTHSM2_CONF: $here/tokens/root.conf}
token: "pkcs11:token=Root%20HSM"
profile: softhsm2
pin: file:$here/pins/root
END
cat >issuing-token.yaml <<END
module: $module
module-environment: {SOFTHSM2_CONF: $here/tokens/issuing.conf}
token: "pkcs11:token=Issuing%20HSM"
profile: softhsm2
pin: file:$here/pins/issuing
END
cat >kra-simulator.yaml <<END
simulate: true
module: $module
environment: {SOFTHSM2_CONF: $here/tokens/kra.conf}
ledger: $here/tokens/kra.ledger
tokens:
  - {label: "KRA 1", profile: generic-32k-smartcard}
profiles: $checkout/hsm-profiles
END
cat >kra-card.yaml <<END
module: $simulator
module-environment: {SIGNET_SIMULATOR: $here/kra-simulator.yaml}
token: "pkcs11:token=KRA%201"
profile: generic-32k-smartcard
pin: file:$here/pins/kra
END
run signet token init --token-file root-token.yaml --so-pin file:pins/so
run signet token init --token-file issuing-token.yaml --so-pin file:pins/so
run signet token init --token-file kra-card.yaml --so-pin file:pins/so

say 'Make the root CA: P-384, its key generated on the root HSM'
run signet init root root-ca --name 'Example Root CA' --subject 'CN=Example Root CA,O=Example' \
    --token-file root-token.yaml --key-algorithm p-384 --publication-url "http://localhost:$publication_port"

say 'Make the issuing CA: P-256, with a request that the root signs'
run signet init subordinate issuing-ca --name 'Example Issuing CA' --subject 'CN=Example Issuing CA,O=Example' \
    --token-file issuing-token.yaml --key-algorithm p-256 --publication-url "http://localhost:$publication_port" \
    --port "$port" --publication-port "$publication_port" --upn-suffix example.test --request-out issuing-ca.req
run signet request submit --instance root-ca --template SubCA --out issuing-ca.crt issuing-ca.req
run signet ca install --instance issuing-ca --chain 'root-ca/publish/Example Root CA.crt' issuing-ca.crt
run signet ca show --instance issuing-ca --pem-out chain.pem
run signet crl publish --instance root-ca
run signet crl publish --instance issuing-ca

say 'Start the enrolment service, its TLS key on the issuing HSM, with one user'
run signet web certificate --instance issuing-ca --dns-name localhost --key-token ca
run signet user add --instance issuing-ca --name alice --password file:pins/alice --role enrollee
cp 'root-ca/publish/Example Root CA'.c* issuing-ca/publish/
echo "    \$ signetd --instance issuing-ca &"
signetd --instance issuing-ca >signetd.log 2>&1 &
daemon=$!
for _ in $(seq 100); do
    curl -sf --cacert chain.pem "https://localhost:$port/healthz" >/dev/null 2>&1 && break
    kill -0 "$daemon" || { cat signetd.log >&2; false; }
    sleep 0.1
done
(umask 077; printf 'user = "alice:%s"\ncacert = %s/chain.pem\nsilent\nshow-error\nfail\n' "$(cat pins/alice)" "$here" >curl.conf)

# Submits the request in file $1 by template $2 the way certsrv clients do, and prints the number of the request.
submit() {
    curl -K curl.conf "https://localhost:$port/certsrv/certfnsh.asp" --data-urlencode Mode=newreq \
        --data-urlencode "CertRequest@$1" --data-urlencode "CertAttrib=CertificateTemplate:$2" \
        --data-urlencode TargetStoreFlags=0 --data-urlencode SaveCert=yes >"$1.html"
    grep -oE 'certnew.cer\?ReqID=[0-9]+' "$1.html" | head -n 1 | grep -oE '[0-9]+$'
}

say 'Enrol a web server with openssl and curl'
run openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout www.key -out www.req \
    -subj /CN=www.example.test -addext subjectAltName=DNS:www.example.test
echo "    \$ curl https://localhost:$port/certsrv/certfnsh.asp -d Mode=newreq -d CertRequest@www.req -d CertAttrib=CertificateTemplate:WebServer"
number=$(submit www.req WebServer)
run curl -K curl.conf "https://localhost:$port/certsrv/certnew.cer?ReqID=$number&Enc=b64" -o www.crt
for name in Root Issuing; do
    curl -sSf "http://localhost:$publication_port/ca/Example%20$name%20CA.crl" | openssl crl -inform DER
done >crls.pem
run openssl verify -crl_check_all -CRLfile crls.pem -CAfile chain.pem www.crt

say 'Enrol a key recovery agent: the key is generated on the card, the request waits for a certificate manager'
run signet kra enroll --instance issuing-ca --token-file kra-card.yaml --name 'Recovery Agent 1' --key-algorithm rsa-2048
number=$(signet request list --instance issuing-ca --disposition pending --numbers | head -n 1)
run signet request approve --instance issuing-ca "$number"
run signet kra accept --instance issuing-ca --token-file kra-card.yaml --request "$number"
run signet kra add --instance issuing-ca --request "$number"
run signet ca exchange --instance issuing-ca --out exchange.crt

say "Alice enrols for encryption; her private key is archived on its way, and nobody at the CA sees it"
run signet request new --archive --template User --subject CN=alice --exchange-certificate exchange.crt \
    --ca-certificates chain.pem --crl "issuing-ca/publish/Example Issuing CA.crl" --out alice.cmc --key-out alice.key.pem --key-password file:pins/key-password
number=$(submit alice.cmc User)
run curl -K curl.conf "https://localhost:$port/certsrv/certnew.cer?ReqID=$number&Enc=b64" -o alice.crt
echo "Attack at dawn. Bring the 1887 vintage." >message.txt
run openssl cms -encrypt -binary -aes-256-cbc -in message.txt -outform DER -out message.cms alice.crt

say "Alice's private key is lost"
run rm alice.key.pem

say 'A certificate manager finds the archived key and takes the recovery blob: sealed for the agent, closed to the manager'
run signet key find --instance issuing-ca alice
run signet key get --instance issuing-ca --out alice.blob alice

say 'The recovery agent opens the blob with the card and hands out a PKCS #12'
run signet key recover --token-file kra-card.yaml --ca-certificates chain.pem --out alice.p12 --password file:pins/key-password alice.blob

say 'Alice reads her message again'
openssl pkcs12 -in alice.p12 -passin file:pins/key-password -nodes -out alice-recovered.pem
chmod 600 alice-recovered.pem
run openssl cms -decrypt -binary -inform DER -in message.cms -recip alice.crt -inkey alice-recovered.pem -out decrypted.txt
cmp message.txt decrypted.txt
run cat decrypted.txt

stop_daemon
run signet audit verify --instance issuing-ca
rm -f alice-recovered.pem quickstart.started
cat >quickstart.complete <<END

Try next, from $here (put the programs into PATH with: export PATH=$build:\$PATH):
  signetd --instance issuing-ca                        start the service again: https://localhost:$port/certsrv/ as alice
  signet request list --instance issuing-ca            what was asked and what became of it
  signet certificate revoke --instance issuing-ca --reason keyCompromise SERIAL
  signet crl publish --instance issuing-ca
  signet token capacity --token-file kra-card.yaml     what is left on the card
  SOFTHSM2_CONF=tokens/issuing.conf pkcs11-tool --module $module -O --login
  make quickstart-clean                                remove it all
END
printf '\n\033[1mDone:\033[0m the file was decrypted with the recovered key.\n'
cat quickstart.complete
