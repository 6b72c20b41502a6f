using Flotta.Agent.OperatingSystem;

namespace Flotta.Tests.Agent.OperatingSystem;

/// <summary>A root folder, and in place of the machine's tools small scripts that write their arguments down and answer with what the test put into a file.</summary>
internal sealed class FakeHost : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("flotta-os-").FullName;

    public FakeHost()
    {
        foreach (var folder in (string[])["proc/sys/kernel/random", "run", "tools", "data"])
            Directory.CreateDirectory(In(folder));
        File.WriteAllText(In("run/ostree-booted"), "");
        Boot("1");
        Add("systemctl");
    }

    public HostTools Tools => new(root, [], In("tools"));

    public string[] Calls => File.Exists(In("calls")) ? File.ReadAllLines(In("calls")) : [];

    public string In(string path) => Path.Combine(root, path);

    public void Boot(string id, double uptime = 60)
    {
        File.WriteAllText(In("proc/sys/kernel/random/boot_id"), id + "\n");
        File.WriteAllText(In("proc/uptime"), string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{uptime} 1.00\n"));
    }

    /// <summary>What the tool says and how it ends: files of its name.</summary>
    public void Add(string tool)
    {
        var path = In("tools/" + tool);
        File.WriteAllText(path, $"""
            #!/bin/sh
            echo "{tool} $*" >> '{root}/calls'
            [ -e '{root}/{tool}.error' ] && {"{"} cat '{root}/{tool}.error' >&2; exit 1; {"}"}
            [ -e '{root}/{tool}.says' ] && cat '{root}/{tool}.says'
            exit 0
            """);
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }

    public void Says(string tool, string text) => File.WriteAllText(In(tool + ".says"), text);

    public void Fails(string tool, string? why)
    {
        if (why is null)
            File.Delete(In(tool + ".error"));
        else
            File.WriteAllText(In(tool + ".error"), why);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);
}
