namespace Flotta.EndToEnd.ApiServer;

/// <summary>kubectl 1.20, from Debian's packages: unpacked, not installed, and kept for the next run.</summary>
internal static class OldKubectl
{
    private static readonly string Folder = Path.Combine(Path.GetTempPath(), "flotta-kubectl-1.20");

    public static async Task<string> GetAsync()
    {
        var kubectl = Path.Combine(Folder, "usr", "bin", "kubectl");
        if (File.Exists(kubectl))
            return kubectl;
        Assert.SkipUnless(File.Exists("/usr/bin/apt-get") && File.Exists("/usr/bin/dpkg"), "There is no kubectl 1.20, and no apt-get to get it with.");
        Directory.CreateDirectory(Folder);
        var patience = TimeSpan.FromMinutes(2);
        var (_, _, said) = await RunningProgram.RunAsync("apt-get", ["download", "-qq", "kubernetes-client"], deadline: patience, folder: Folder);
        foreach (var package in Directory.EnumerateFiles(Folder, "*.deb").ToList())
        {
            if (Path.GetFileName(package).StartsWith("kubernetes-client_1.20", StringComparison.Ordinal))
                (_, _, said) = await RunningProgram.RunAsync("dpkg", ["-x", package, Folder], deadline: patience);
            File.Delete(package);
        }

        Assert.SkipUnless(File.Exists(kubectl), "kubectl 1.20 could not be had: " + said);
        return kubectl;
    }
}
