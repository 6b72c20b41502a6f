using System.Text;
using Flotta.Agent.Files;
using Flotta.Yggdrasil.Credentials;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Identities;

/// <summary>
/// The device's own identity on disk. <c>identity.pem</c> holds key and certificate together, so there is no moment at which they do not match;
/// the one before stays as <c>identity.previous.pem</c> until the new one has been answered; <c>next-key.pem</c> is a key that has been
/// or is about to be sent for signing, so that a registration cut short is repeated with the same key.
/// </summary>
internal sealed partial class IdentityStore(DataDirectory folder, string deviceId, KeyLock keys, ILogger<IdentityStore> logger)
{
    private string Current => folder["identity.pem"];

    private string PreviousFile => folder["identity.previous.pem"];

    private string NextKeyFile => folder["next-key.pem"];

    /// <summary>Whether this device ever had a key of its own; asks no TPM.</summary>
    public bool IsThere => File.Exists(Current) || File.Exists(PreviousFile) || File.Exists(NextKeyFile);

    /// <summary>Whether a key on disk wants to be unlocked.</summary>
    public bool IsLocked => Files.Any(file => File.Exists(file) && KeyLock.IsLocked(File.ReadAllText(file)));

    private string[] Files => [Current, PreviousFile, NextKeyFile];

    /// <summary>Has what the keys are locked with given back, if they are, and locks those that were written in clear before.</summary>
    /// <exception cref="TpmException">Not now.</exception>
    public async Task UnlockAsync(CancellationToken cancellationToken)
    {
        if (!keys.Locks)
            return;
        await keys.OpenAsync(cancellationToken);
        foreach (var file in Files.Where(file => File.Exists(file)))
        {
            var text = await File.ReadAllTextAsync(file, cancellationToken);
            if (KeyLock.IsLocked(text))
                continue;
            DurableFile.Write(file, Encoding.ASCII.GetBytes(keys.Protect(text)));
            LogLocked(logger, file);
        }
    }

    /// <summary>The identity to start with, or null when the device has to enrol.</summary>
    public Identity? Load() => Read(Current) ?? Read(PreviousFile);

    public Identity? Previous() => Read(PreviousFile);

    public DeviceKey NextKey(bool rsa)
    {
        if (File.Exists(NextKeyFile))
        {
            // Left by a crash after the certificate was stored: that key is in use, the next certificate gets a new one.
            if (keys.Reveal(File.ReadAllText(NextKeyFile)) is { } text && DeviceKey.FromPem(text) is { } known && Read(Current) is var current && (current is null || !known.IsKeyOf(current.Certificate)))
                return known;
            DurableFile.Delete(NextKeyFile);
        }

        var key = DeviceKey.Create(rsa);
        DurableFile.Write(NextKeyFile, Encoding.ASCII.GetBytes(keys.Protect(key.ToPem())));
        return key;
    }

    public void Replace(DeviceKey key, string certificatePem)
    {
        var staged = Current + ".new";
        DurableFile.Stage(staged, Encoding.ASCII.GetBytes(keys.Protect(key.ToPem()) + certificatePem.Trim() + "\n"));
        if (File.Exists(Current))
            DurableFile.Rename(Current, PreviousFile);
        DurableFile.Rename(staged, Current);
        DurableFile.Delete(NextKeyFile);
    }

    /// <summary>The server has answered the present identity: the one before is of no more use.</summary>
    public void Confirm()
    {
        if (File.Exists(Current))
            DurableFile.Delete(PreviousFile);
    }

    public void Remove()
    {
        DurableFile.Delete(NextKeyFile);
        DurableFile.Delete(PreviousFile);
        DurableFile.Delete(Current);
    }

    private Identity? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            var pem = keys.Reveal(File.ReadAllText(path)) ?? throw new CredentialException("its key is locked, and not by this TPM.");
            var identity = Identity.FromPem(pem, pem, path, path);
            if (string.Equals(identity.CommonName, deviceId, StringComparison.OrdinalIgnoreCase))
                return identity;
            LogOther(logger, path, identity.CommonName, deviceId);
            return null;
        }
        catch (Exception exception) when (exception is CredentialException or IOException or UnauthorizedAccessException)
        {
            LogDamaged(logger, path, exception.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "the key in {Path} is locked by the TPM now; a copy of the disk that was made before still has it")]
    private static partial void LogLocked(ILogger logger, string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "the identity file {Path} is damaged and not used: {Problem}")]
    private static partial void LogDamaged(ILogger logger, string path, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the identity file {Path} belongs to the device {Other} and is not used for {DeviceId}")]
    private static partial void LogOther(ILogger logger, string path, string other, string deviceId);
}
