using System.Security.Cryptography;
using System.Text;
using Flotta.Agent.Files;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Identities;

/// <summary>
/// What private keys are locked with on this device's disk. Without a TPM: nothing, their files are for their owner alone. With one: AES-256-GCM with a random secret, of which the
/// disk has only what the TPM made of it (<c>sealed-key.pem</c>). It is asked for once per start; renewals need no TPM.
/// </summary>
internal sealed partial class KeyLock
{
    public const string FileName = "sealed-key.pem";
    public const string LostFileName = FileName + ".lost";
    private const string PublicLabel = "TPM2B PUBLIC";
    private const string PrivateLabel = "TPM2B PRIVATE";
    private const string LockedLabel = "LOCKED PRIVATE KEY";
    private const string KeyLabel = "PRIVATE KEY";
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly Tpm? _tpm;
    private readonly DataDirectory? _folder;
    private readonly ILogger? _logger;
    private byte[]? _secret;

    private KeyLock()
    {
    }

    public KeyLock(Tpm tpm, DataDirectory folder, ILogger<KeyLock> logger)
    {
        _tpm = tpm;
        _folder = folder;
        _logger = logger;
    }

    public static KeyLock None { get; } = new();

    public bool Locks => _tpm is not null;

    public bool IsOpen => !Locks || _secret is not null;

    /// <summary>Whether the text has a key that wants to be revealed.</summary>
    public static bool IsLocked(string pem) => Find(pem, LockedLabel) is not null;

    /// <summary>
    /// Has the TPM give the secret back; makes one where there is none, or where this TPM will never give it back (it was cleared, or is another one): then what was locked is lost,
    /// and the device enrols anew.
    /// </summary>
    /// <exception cref="TpmException">It cannot be used now; nothing was changed.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (IsOpen)
            return;
        var file = _folder![FileName];
        var work = _folder["tpm"];
        if (!File.Exists(file))
        {
            _secret = await MakeAsync(file, work, cancellationToken);
            return;
        }

        try
        {
            var known = Parse(await File.ReadAllTextAsync(file, cancellationToken)) ?? throw new TpmException($"{file} is damaged.");
            _secret = Convert.FromHexString(await _tpm!.UnsealAsync(known, work, cancellationToken));
        }
        catch (TpmException problem)
        {
            // Only a TPM that does all that is asked of it has a say in whether the secret is lost.
            var made = await MakeAsync(file + ".next", work, cancellationToken);
            DurableFile.Rename(file, _folder[LostFileName]);
            DurableFile.Rename(file + ".next", file);
            LogLost(_logger!, file, problem.Message);
            _secret = made;
        }
    }

    /// <summary>The text with its key, if it has one in clear, locked.</summary>
    public string Protect(string pem)
    {
        if (!Locks || Find(pem, KeyLabel) is not { } key)
            return pem;
        var text = new byte[NonceLength + TagLength + key.Content.Length];
        RandomNumberGenerator.Fill(text.AsSpan(0, NonceLength));
        using (var cipher = Cipher())
            cipher.Encrypt(text.AsSpan(0, NonceLength), key.Content, text.AsSpan(NonceLength + TagLength), text.AsSpan(NonceLength, TagLength));
        return string.Concat(pem.AsSpan(0, key.Start), PemEncoding.WriteString(LockedLabel, text), pem.AsSpan(key.End));
    }

    /// <summary>The text with its key in clear; null where it is not locked with our secret.</summary>
    public string? Reveal(string pem)
    {
        if (Find(pem, LockedLabel) is not { } locked)
            return pem;
        if (_secret is null || locked.Content.Length < NonceLength + TagLength)
            return null;
        var key = new byte[locked.Content.Length - NonceLength - TagLength];
        try
        {
            using var cipher = Cipher();
            cipher.Decrypt(locked.Content.AsSpan(0, NonceLength), locked.Content.AsSpan(NonceLength + TagLength), locked.Content.AsSpan(NonceLength, TagLength), key);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }

        return string.Concat(pem.AsSpan(0, locked.Start), PemEncoding.WriteString(KeyLabel, key), pem.AsSpan(locked.End));
    }

    private AesGcm Cipher() => new(_secret ?? throw new InvalidOperationException("The keys' lock is not open yet."), TagLength);

    private async Task<byte[]> MakeAsync(string file, string work, CancellationToken cancellationToken)
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var text = Convert.ToHexStringLower(secret);
        var made = await _tpm!.SealAsync(text, work, cancellationToken);
        if (await _tpm.UnsealAsync(made, work, cancellationToken) != text)
            throw new TpmException("The TPM gives back something else than it was given.");
        DurableFile.Write(file, Encoding.ASCII.GetBytes($"{PemEncoding.WriteString(PublicLabel, made.Public)}\n{PemEncoding.WriteString(PrivateLabel, made.Private)}\n"));
        return secret;
    }

    private static Sealed? Parse(string text) =>
        Find(text, PublicLabel) is { } outer && Find(text, PrivateLabel) is { } inner ? new Sealed(outer.Content, inner.Content) : null;

    private static Block? Find(string pem, string label)
    {
        var start = 0;
        while (PemEncoding.TryFind(pem.AsSpan(start), out var fields))
        {
            var text = pem.AsSpan(start);
            if (text[fields.Label].SequenceEqual(label))
                return new Block(start + fields.Location.Start.GetOffset(text.Length), start + fields.Location.End.GetOffset(text.Length), Convert.FromBase64String(text[fields.Base64Data].ToString()));
            start += fields.Location.End.GetOffset(text.Length);
        }

        return null;
    }

    private sealed record Block(int Start, int End, byte[] Content);

    [LoggerMessage(Level = LogLevel.Error, Message = "the TPM does not open {Path}, so this device's identity is lost and it enrols anew: {Problem}")]
    private static partial void LogLost(ILogger logger, string path, string problem);
}
