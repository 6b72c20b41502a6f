using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Access;

/// <summary>What the server shows to its clients; made anew when it nears its end, or the names it should have change.</summary>
internal sealed class ServingCertificate
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(120);

    private readonly Authority authority;
    private readonly string file;
    private readonly IPAddress listen;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private X509Certificate2 certificate;
    private SslStreamCertificateContext context;

    public ServingCertificate(Authority authority, string folder, IPAddress listen, TimeProvider time)
    {
        this.authority = authority;
        this.listen = listen;
        this.time = time;
        file = Path.Combine(folder, "server.pem");
        certificate = Kept() ?? Make();
        context = SslStreamCertificateContext.Create(certificate, null, offline: true);
    }

    public SslStreamCertificateContext Current
    {
        get
        {
            lock (gate)
            {
                if (Fresh(certificate))
                    return context;
                // Connections under way keep the old one until they end; it is left to the collector.
                certificate = Make();
                return context = SslStreamCertificateContext.Create(certificate, null, offline: true);
            }
        }
    }

    private bool Fresh(X509Certificate2 one) => one.NotAfter - RenewBefore > time.GetUtcNow().UtcDateTime;

    private X509Certificate2? Kept()
    {
        if (!File.Exists(file))
            return null;
        try
        {
            var kept = X509Certificate2.CreateFromPemFile(file, file);
            var issued = kept.IssuerName.RawData.AsSpan().SequenceEqual(authority.Certificate.SubjectName.RawData)
                && kept.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Any(
                    id => authority.Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Any(
                        own => id.KeyIdentifier is { } key && key.Span.SequenceEqual(own.SubjectKeyIdentifierBytes.Span)));
            return issued && Fresh(kept) && Names().Build().RawData.AsSpan().SequenceEqual(SubjectNames(kept)) ? kept : null;
        }
        catch (Exception e) when (e is CryptographicException or IOException)
        {
            return null;
        }
    }

    private static ReadOnlySpan<byte> SubjectNames(X509Certificate2 one) =>
        one.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault()?.RawData;

    private X509Certificate2 Make()
    {
        var made = authority.Issue(new X500DistinguishedName("CN=flotta-api-server"), Lifetime, Usages.Server, Names());
        using var key = made.GetECDsaPrivateKey()!;
        OwnerOnly.Write(file, Encoding.ASCII.GetBytes(made.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n"));
        return made;
    }

    private SubjectAlternativeNameBuilder Names()
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        var host = Dns.GetHostName();
        if (Uri.CheckHostName(host) == UriHostNameType.Dns && host != "localhost")
            names.AddDnsName(host);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        if (!IPAddress.IsLoopback(listen) && !listen.Equals(IPAddress.Any) && !listen.Equals(IPAddress.IPv6Any))
            names.AddIpAddress(listen);
        return names;
    }
}
