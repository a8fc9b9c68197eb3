# Shared by ./run, ./check and the guest makers: packages, cache, messages.  Sourced by bash.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/vitrine
PKG_BUILD="gcc libc6-dev cmake ninja-build pkg-config nasm acpica-tools libsdl2-dev libcapstone-dev
 zlib1g-dev libslirp-dev libpng-dev libedit-dev seabios ipxe-qemu"
PKG_DEMO="ca-certificates xorriso isolinux syslinux-common cpio kmod xz-utils"
PKG_CHECK="libcmocka-dev clang-14 libclang-rt-14-dev llvm-14 ccache gcc-multilib python3 binutils qemu-utils
 e2fsprogs fdisk mtools syslinux xvfb xdotool x11-apps imagemagick procps tmux strace"
PKG_DEBIAN="mmdebstrap arch-test fakeroot grub-pc-bin grub-common e2fsprogs fdisk python3 util-linux"

say() { printf '%s\n' "$*" >&2; }

# Install what is missing of the given packages, saying what.
need_packages() {
    local missing=() p
    for p in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local apt=(apt-get install -y --no-install-recommends "${missing[@]}")
    if [ "$(id -u)" -eq 0 ]; then
        say "Installing what is missing: ${missing[*]}"
        apt-get update -qq >/dev/null 2>&1 || true
        DEBIAN_FRONTEND=noninteractive "${apt[@]}" >"$CACHE/apt.log" 2>&1 ||
            { tail -5 "$CACHE/apt.log" >&2; say "Installing failed; the whole log is $CACHE/apt.log"; return 1; }
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then
        say "Installing what is missing, with sudo: ${missing[*]}"
        sudo apt-get update -qq || true
        sudo DEBIAN_FRONTEND=noninteractive "${apt[@]}" >"$CACHE/apt.log" 2>&1 ||
            { tail -5 "$CACHE/apt.log" >&2; return 1; }
    else
        say "Some packages are missing and there is neither root nor sudo here. Please have this run:"
        say "    apt-get install ${missing[*]}"
        return 1
    fi
}

# Guests come through an apt state folder of our own: the user's dpkg and apt set-up stays as it is.
# apt_guest ARCH apt-get|apt-cache ARGS...
apt_guest() {
    local arch=$1 tool=$2 d=$CACHE/apt/$1
    shift 2
    mkdir -p "$d/lists/partial" "$d/cache/archives/partial"
    "$tool" -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::State::lists="$d/lists" \
        -o Dir::Cache="$d/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root \
        -o Acquire::Languages=none "$@"
}

# fetch_deb ARCH PACKAGE: download (once) and print the path of the .deb
fetch_deb() {
    local arch=$1 p=$2 d=$CACHE/debs/$1 f
    mkdir -p "$d"
    f=$(ls "$d/${p}_"*.deb 2>/dev/null | head -n 1)
    if [ -z "$f" ]; then
        ( # one download at a time: apt-get locks its folder and does not wait
            flock 7
            if [ ! -e "$CACHE/apt/$arch/updated" ]; then
                apt_guest "$arch" apt-get update >/dev/null 2>&1 || true # one bad list must not stop us
                touch "$CACHE/apt/$arch/updated"
            fi
            cd "$d" || exit 1
            apt_guest "$arch" apt-get download "$p" >/dev/null 2>"$d/log" && exit 0
            apt_guest "$arch" apt-get update >/dev/null 2>&1 || true
            apt_guest "$arch" apt-get download "$p" >/dev/null 2>"$d/log"
        ) 7>"$d/lock" || { say "The package $p ($arch) could not be downloaded: $(tail -n 1 "$d/log")"; return 1; }
        f=$(ls "$d/${p}_"*.deb | head -n 1)
    fi
    printf '%s\n' "$f"
}

# unpack_deb ARCH PACKAGE: unpack (once) and print the folder
unpack_deb() {
    local d=$CACHE/x/$1/$2
    if [ ! -e "$d/.done" ]; then
        mkdir -p "$CACHE/x"
        ( # two tests may want one package at once
            flock 8
            [ -e "$d/.done" ] && exit 0
            f=$(fetch_deb "$1" "$2") || exit 1
            rm -rf "$d" && mkdir -p "$d" && dpkg-deb -x "$f" "$d" && touch "$d/.done"
        ) 8>"$CACHE/x/lock" || return 1
    fi
    printf '%s\n' "$d"
}

# The name of the newest kernel image package of a flavor (686, 686-pae, amd64).
kernel_package() {
    local arch=$1 flavor=$2
    fetch_deb "$arch" "linux-image-$flavor" >/dev/null || return 1
    dpkg-deb -f "$(fetch_deb "$arch" "linux-image-$flavor")" Depends | grep -o 'linux-image-[0-9][^ ,]*' | head -n 1
}

# build_preset PRESET [CMAKE-OPTION...]: configure and compile, quietly unless it fails.  ccache may take
# an object that another clone made: paths count from the clone, so only the debugger's idea of the
# folder can be another one's.
build_preset() {
    local -x CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
    local log=build/$1.log preset=$1
    shift
    mkdir -p build
    cmake --preset "$preset" "$@" >"$log" 2>&1 && cmake --build "build/$preset" >>"$log" 2>&1 ||
        { tail -n 40 "$log" >&2; say "Building failed; the whole log is $log"; return 1; }
}
