using Flotta.Agent.Processes;

namespace Flotta.Agent.Identities;

/// <summary>What a TPM makes of a secret: of use to nobody without that TPM.</summary>
internal sealed record Sealed(byte[] Public, byte[] Private);

/// <summary>The TPM cannot be used. The message is a sentence for a person.</summary>
internal sealed class TpmException(string message) : Exception(message);

/// <summary>
/// The machine's TPM 2.0, by the programs of tpm2-tools. It seals short secrets under a key that it derives anew each time from a seed of its own, so that nothing has to be kept in it.
/// </summary>
/// <param name="tcti">How tpm2-tools reach it, for example <c>device:/dev/tpmrm0</c>.</param>
internal sealed class Tpm(string tcti)
{
    public const string OfThisMachine = "device:/dev/tpmrm0";

    // The same words each time, or it would be another key. No protection against guessing (noda): there is nothing to guess, and a TPM in lockout shall not lock us out.
    private const string Parent = "ecc256:aes128cfb";
    private const string ParentAttributes = "restricted|decrypt|fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda";
    private const string SecretAttributes = "fixedtpm|fixedparent|userwithauth|noda";

    // Some take seconds for a key.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <param name="secret">At most 128 characters of ASCII.</param>
    /// <param name="work">A folder to make and to remove again; handles of the TPM's, no secrets, are in it meanwhile.</param>
    /// <exception cref="TpmException">With what the tool said.</exception>
    public Task<Sealed> SealAsync(string secret, string work, CancellationToken cancellationToken) => InAsync(work, async () =>
    {
        var (outer, inner) = (Path.Combine(work, "public"), Path.Combine(work, "private"));
        var parent = await ParentAsync(work, cancellationToken);
        await RunAsync("tpm2_create", ["-C", parent, "-a", SecretAttributes, "-i", "-", "-u", outer, "-r", inner], secret, cancellationToken);
        return new Sealed(await File.ReadAllBytesAsync(outer, cancellationToken), await File.ReadAllBytesAsync(inner, cancellationToken));
    });

    /// <exception cref="TpmException">It is not this TPM's, the TPM was cleared since, or it cannot be used; with what the tool said.</exception>
    public Task<string> UnsealAsync(Sealed secret, string work, CancellationToken cancellationToken) => InAsync(work, async () =>
    {
        var (loaded, outer, inner) = (Path.Combine(work, "loaded"), Path.Combine(work, "public"), Path.Combine(work, "private"));
        await File.WriteAllBytesAsync(outer, secret.Public, cancellationToken);
        await File.WriteAllBytesAsync(inner, secret.Private, cancellationToken);
        var parent = await ParentAsync(work, cancellationToken);
        await RunAsync("tpm2_load", ["-C", parent, "-u", outer, "-r", inner, "-c", loaded], null, cancellationToken);
        return await RunAsync("tpm2_unseal", ["-c", loaded], null, cancellationToken);
    });

    private async Task<string> ParentAsync(string work, CancellationToken cancellationToken)
    {
        var parent = Path.Combine(work, "parent");
        await RunAsync("tpm2_createprimary", ["-C", "o", "-g", "sha256", "-G", Parent, "-a", ParentAttributes, "-c", parent], null, cancellationToken);
        return parent;
    }

    private static async Task<T> InAsync<T>(string work, Func<Task<T>> run)
    {
        Clear(work);
        Directory.CreateDirectory(work, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            return await run();
        }
        finally
        {
            Clear(work);
        }
    }

    // The tools' own words come after those of the libraries below them, which name their source files.
    private static string Essence(string said) => said.IndexOf("ERROR: ", StringComparison.Ordinal) is >= 0 and var start ? said[(start + "ERROR: ".Length)..] : said;

    private static void Clear(string work)
    {
        if (Directory.Exists(work))
            Directory.Delete(work, recursive: true);
    }

    private async Task<string> RunAsync(string program, IEnumerable<string> arguments, string? input, CancellationToken cancellationToken)
    {
        var result = await Tool.RunAsync(program, ["-T", tcti, .. arguments], input, Deadline, cancellationToken);
        // A TPM has room for three objects. The kernel's resource manager forgets those of each program that ends; behind another device nobody does.
        _ = await Tool.RunAsync("tpm2_flushcontext", ["-T", tcti, "-t"], null, Deadline, cancellationToken);
        return result.IsOk
            ? result.Output
            : throw new TpmException($"The TPM at {tcti} cannot be used: {program}: {Essence(result.Problem)}. tpm2-tools have to be installed, and this user has to be allowed to use the TPM.");
    }
}
