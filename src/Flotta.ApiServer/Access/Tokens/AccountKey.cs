using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Access.Tokens;

/// <summary>The key that signs the tokens of service accounts, kept in the data directory.</summary>
internal sealed class AccountKey : IDisposable
{
    private readonly ECDsa key;
    private readonly Lock gate = new();

    private AccountKey(ECDsa key)
    {
        this.key = key;
        Id = Base64Url.EncodeToString(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
    }

    /// <summary>Named in each token.</summary>
    public string Id { get; }

    /// <exception cref="ApiServerStartException">The file is damaged.</exception>
    public static AccountKey Open(string folder)
    {
        OwnerOnly.MakeFolder(folder);
        var file = Path.Combine(folder, "accounts.pem");
        try
        {
            if (!File.Exists(file))
            {
                using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                OwnerOnly.Write(file, Encoding.ASCII.GetBytes(made.ExportPkcs8PrivateKeyPem() + "\n"));
            }

            var kept = ECDsa.Create();
            kept.ImportFromPem(File.ReadAllText(file));
            return new AccountKey(kept);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new ApiServerStartException(
                $"The key of the service accounts in {file} cannot be read ({e.Message.TrimEnd('.')}): put a backup in its place, or delete it, and all tokens of service accounts end.", e);
        }
    }

    public byte[] Sign(byte[] data)
    {
        // One at a time: the type promises nothing about several threads.
        lock (gate)
            return key.SignData(data, HashAlgorithmName.SHA256);
    }

    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        lock (gate)
            return key.VerifyData(data, signature, HashAlgorithmName.SHA256);
    }

    public void Dispose() => key.Dispose();
}
