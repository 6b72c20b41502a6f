namespace Flotta.EdgeApi;

/// <summary>What a new device needs to ask to be let in: whom to trust, and the certificate and key that every new device shares.</summary>
public sealed record BootstrapMaterial(string CaPem, string CertificatePem, string KeyPem)
{
    // Holds a key: prints as what it is.
    public override string ToString() => "bootstrap material";
}
