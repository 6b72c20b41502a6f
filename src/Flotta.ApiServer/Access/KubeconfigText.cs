using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Flotta.ApiServer.Access;

/// <summary>A kubeconfig with everything inside.</summary>
internal static class KubeconfigText
{
    // Long enough for a process that is not restarted for a year; each start writes a new one.
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(3 * 365);

    public static string For(Authority authority, Uri address, string user, IReadOnlyList<string> groups)
    {
        using var issued = authority.Issue(Caller.Subject(user, groups), Lifetime, Usages.Client, null);
        using var key = issued.GetECDsaPrivateKey()!;
        return $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: flotta
              cluster:
                server: {address.GetLeftPart(UriPartial.Authority)}
                certificate-authority-data: {Encode(authority.CertificatePem)}
            users:
            - name: {Quote(user)}
              user:
                client-certificate-data: {Encode(issued.ExportCertificatePem())}
                client-key-data: {Encode(key.ExportPkcs8PrivateKeyPem())}
            contexts:
            - name: flotta
              context:
                cluster: flotta
                user: {Quote(user)}
            current-context: flotta

            """;
    }

    private static string Encode(string pem) => Convert.ToBase64String(Encoding.ASCII.GetBytes(pem + "\n"));

    private static string Quote(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
