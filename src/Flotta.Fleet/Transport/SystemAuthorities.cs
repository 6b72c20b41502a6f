using System.Runtime.InteropServices;

namespace Flotta.Fleet.Transport;

/// <summary>
/// The authorities of this machine. OpenSSL looks through all of them for the issuer of each client certificate that it is given, which is a fifth of this program's work
/// when many devices register.
/// </summary>
internal static partial class SystemAuthorities
{
    /// <summary>To be called before the first connection, where every authority that counts is named.</summary>
    public static void LeaveOut()
    {
        foreach (var name in (string[])["SSL_CERT_FILE", "SSL_CERT_DIR"])
        {
            Environment.SetEnvironmentVariable(name, "/dev/null");
            // What .NET sets is not what OpenSSL sees.
            _ = SetEnvironment(name, "/dev/null", overwrite: 1);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
