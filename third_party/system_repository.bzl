"""A repository whose targets are libraries that the operating system has installed."""

def _pkg_config(ctx, flags, modules):
    result = ctx.execute(["pkg-config"] + flags + modules.split(" "))
    if result.return_code:
        fail(("\n@%s is the system's own library, and pkg-config does not find it:\n%s\n" +
              "On Debian: sudo apt-get install %s\n" +
              "Elsewhere: define @%s above the call of rollcall_deps().\n") % (
            ctx.name,
            result.stderr,
            " ".join(["pkg-config"] + ctx.attr.debian_packages),
            ctx.name,
        ))
    return [flag for flag in result.stdout.strip().split(" ") if flag]

# The name by which the system's loader finds the library of "-lNAME".
def _soname(ctx, flag):
    script = "objdump -p \"$(cc -print-file-name=lib%s.so)\" | awk '$1 == \"SONAME\" { print $2 }'"
    result = ctx.execute(["sh", "-c", script % flag[2:]])
    if result.return_code or not result.stdout.strip():
        fail("\n@%s: no shared library for %s: %s\n" % (ctx.name, flag, result.stderr))
    return result.stdout.strip()

def _cc_library(ctx, name, modules, soname_define):
    # Headers are not listed and no include path is set: they are in /usr/include, which the
    # compiler searches by itself, and -isystem /usr/include breaks libstdc++'s #include_next.
    cflags = _pkg_config(ctx, ["--cflags-only-other"], modules)
    defines = [flag[2:] for flag in cflags if flag.startswith("-D")]
    libs = _pkg_config(ctx, ["--libs"], modules)
    if soname_define:
        defines.append('%s=\\"%s\\"' % (soname_define, _soname(ctx, libs[0])))
        libs = ["-ldl"]
    return "cc_library(\n    name = {name},\n    defines = {defines},\n    linkopts = {linkopts},\n)\n".format(
        name = repr(name),
        defines = repr(defines),
        linkopts = repr(libs),
    )

def _system_repository_impl(ctx):
    packages = {}
    for label, modules in ctx.attr.targets.items():
        package, name = label.split(":")
        packages.setdefault(package, []).append(
            _cc_library(ctx, name, modules, ctx.attr.loaded_later.get(label)),
        )
    for name, program in ctx.attr.programs.items():
        path = ctx.which(program)
        if not path:
            fail("\n@%s//:%s is the system's own program %s, which is not installed.\n" % (ctx.name, name, program) +
                 "On Debian: sudo apt-get install %s\n" % " ".join(ctx.attr.debian_packages))
        ctx.symlink(path, "programs/" + program)
        packages.setdefault("", []).append(
            "filegroup(\n    name = {name},\n    srcs = [{path}],\n)\n".format(
                name = repr(name),
                path = repr("programs/" + program),
            ),
        )
    for package, libraries in packages.items():
        ctx.file(
            package + ("/" if package else "") + "BUILD.bazel",
            "\n".join([
                "load(\"@rules_cc//cc:defs.bzl\", \"cc_library\")\n",
                "package(default_visibility = [\"//visibility:public\"])\n",
            ] + libraries),
            executable = False,
        )

system_repository = repository_rule(
    implementation = _system_repository_impl,
    doc = "cc_library targets over installed libraries; upstream's labels, so BUILD files read the same.",
    attrs = {
        "debian_packages": attr.string_list(
            doc = "What to tell a user to install when pkg-config finds nothing.",
        ),
        "loaded_later": attr.string_dict(
            doc = "A target that is not linked: it defines this macro as the name of its library, for dlopen.",
        ),
        "programs": attr.string_dict(
            doc = "Target of the repository's root to the program on the PATH that it stands for.",
        ),
        "targets": attr.string_dict(
            doc = "\"package:target\" to the pkg-config modules (separated by spaces) that it links.",
            mandatory = True,
        ),
    },
    environ = ["PKG_CONFIG_PATH"],
    local = True,
)
