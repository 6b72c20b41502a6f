using System.Security.Cryptography;
using System.Text;
using Flotta.Agent.Files;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Identities;

/// <summary>
/// What private keys are locked with on this device's disk. Without a TPM: nothing, their files are for their owner alone. With one: a random password, of which the disk has
/// only what the TPM made of it (<c>sealed-key.pem</c>). It is asked for once per start; renewals need no TPM.
/// </summary>
internal sealed partial class KeyLock
{
    public const string FileName = "sealed-key.pem";
    public const string LostFileName = FileName + ".lost";
    private const string PublicLabel = "TPM2B PUBLIC";
    private const string PrivateLabel = "TPM2B PRIVATE";
    private readonly Tpm? _tpm;
    private readonly DataDirectory? _folder;
    private readonly ILogger? _logger;

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

    /// <summary>Null: keys are written in clear.</summary>
    public string? Password { get; private set; }

    public bool IsOpen => _tpm is null || Password is not null;

    /// <summary>
    /// Has the TPM give the password back; makes one where there is none, or where this TPM will never give it back (it was cleared, or is another one): then what was locked is lost,
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
            Password = await MakeAsync(file, work, cancellationToken);
            return;
        }

        try
        {
            var known = Parse(await File.ReadAllTextAsync(file, cancellationToken)) ?? throw new TpmException($"{file} is damaged.");
            Password = await _tpm!.UnsealAsync(known, work, cancellationToken);
        }
        catch (TpmException problem)
        {
            // Only a TPM that does all that is asked of it has a say in whether the password is lost.
            var made = await MakeAsync(file + ".next", work, cancellationToken);
            DurableFile.Rename(file, _folder[LostFileName]);
            DurableFile.Rename(file + ".next", file);
            LogLost(_logger!, file, problem.Message);
            Password = made;
        }
    }

    private async Task<string> MakeAsync(string file, string work, CancellationToken cancellationToken)
    {
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var sealedPassword = await _tpm!.SealAsync(password, work, cancellationToken);
        if (await _tpm.UnsealAsync(sealedPassword, work, cancellationToken) != password)
            throw new TpmException("The TPM gives back something else than it was given.");
        var text = $"{PemEncoding.WriteString(PublicLabel, sealedPassword.Public)}\n{PemEncoding.WriteString(PrivateLabel, sealedPassword.Private)}\n";
        DurableFile.Write(file, Encoding.ASCII.GetBytes(text));
        return password;
    }

    private static Sealed? Parse(string text) => Block(text, PublicLabel) is { } outer && Block(text, PrivateLabel) is { } inner ? new Sealed(outer, inner) : null;

    private static byte[]? Block(ReadOnlySpan<char> text, string label)
    {
        while (PemEncoding.TryFind(text, out var fields))
        {
            if (text[fields.Label].SequenceEqual(label))
                return Convert.FromBase64String(text[fields.Base64Data].ToString());
            text = text[fields.Location.End..];
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the TPM does not open {Path}, so this device's identity is lost and it enrols anew: {Problem}")]
    private static partial void LogLost(ILogger logger, string path, string problem);
}
