using System.Diagnostics;

namespace Flotta.Tests.Agent;

/// <summary>A TPM of software (swtpm), whose state outlives its power.</summary>
internal sealed class SoftwareTpm : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-tpm-").FullName;
    private Process? _process;

    /// <summary>How tpm2-tools reach it.</summary>
    public string Tcti => "swtpm:path=" + Path.Combine(_folder, "tpm");

    public static async Task<SoftwareTpm> StartAsync()
    {
        var tpm = new SoftwareTpm();
        await tpm.PowerOnAsync();
        return tpm;
    }

    public async Task PowerOnAsync()
    {
        string[] arguments =
        [
            "socket", "--tpm2", "--tpmstate", $"dir={_folder}", "--server", $"type=unixio,path={_folder}/tpm", "--ctrl", $"type=unixio,path={_folder}/tpm.ctrl", "--flags", "not-need-init,startup-clear",
        ];
        _process = Process.Start(new ProcessStartInfo("swtpm", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await Eventually.True(() => _process.HasExited || File.Exists(Path.Combine(_folder, "tpm")));
        _process.HasExited.ShouldBeFalse("swtpm ended: " + (_process.HasExited ? await _process.StandardError.ReadToEndAsync() : ""));
    }

    public async Task PowerOffAsync()
    {
        if (_process is null)
            return;
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
        File.Delete(Path.Combine(_folder, "tpm"));
        File.Delete(Path.Combine(_folder, "tpm.ctrl"));
    }

    /// <summary>As a TPM is after it was cleared, and as that of another machine: with another seed.</summary>
    public async Task ReplaceAsync()
    {
        await PowerOffAsync();
        foreach (var file in Directory.GetFiles(_folder))
            File.Delete(file);
        await PowerOnAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await PowerOffAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
