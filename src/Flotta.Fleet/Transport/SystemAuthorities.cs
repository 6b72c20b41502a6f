using System.Runtime.InteropServices;
using Flotta.Fleet.Cluster;

namespace Flotta.Fleet.Transport;

/// <summary>
/// The authorities of this machine. OpenSSL looks through all of them for the issuer of each client certificate that it is given, which is a fifth of this program's work
/// when many devices register.
/// </summary>
internal static partial class SystemAuthorities
{
    /// <summary>To be called before the first certificate is read. Where a cluster is trusted because the machine trusts it, all stays as it is.</summary>
    public static void LeaveOut(string? kubeconfig)
    {
        if (NeedsThem(kubeconfig))
            return;
        foreach (var name in (string[])["SSL_CERT_FILE", "SSL_CERT_DIR"])
        {
            Environment.SetEnvironmentVariable(name, "/dev/null");
            // What .NET sets is not what OpenSSL sees.
            _ = SetEnvironment(name, "/dev/null", overwrite: 1);
        }
    }

    private static bool NeedsThem(string? kubeconfig)
    {
        try
        {
            return kubeconfig is not null && Kubeconfig.Read(kubeconfig).CaPem is null;
        }
        catch (KubeconfigException)
        {
            // Said when it is used.
            return true;
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
