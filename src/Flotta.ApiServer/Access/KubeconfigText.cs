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
        using var issued = CertificateFor(authority, user, groups);
        using var key = issued.GetECDsaPrivateKey()!;
        return With(
            authority, address, user,
            $"""
                client-certificate-data: {Encode(issued.ExportCertificatePem())}
                client-key-data: {Encode(key.ExportPkcs8PrivateKeyPem())}
            """);
    }

    public static X509Certificate2 CertificateFor(Authority authority, string user, IReadOnlyList<string> groups) =>
        authority.Issue(Caller.Subject(user, groups), Lifetime, Usages.Client, null);

    /// <summary>With a token instead of a certificate: it can be taken away again.</summary>
    public static string WithToken(Authority authority, Uri address, string user, string token) => With(authority, address, user, $"    token: {token}");

    private static string With(Authority authority, Uri address, string user, string credentials) => $"""
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
        {credentials}
        contexts:
        - name: flotta
          context:
            cluster: flotta
            user: {Quote(user)}
        current-context: flotta

        """;

    private static string Encode(string pem) => Convert.ToBase64String(Encoding.ASCII.GetBytes(pem + "\n"));

    private static string Quote(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
