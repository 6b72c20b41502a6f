namespace Flotta.EndToEnd.Playbooks;

/// <summary>A user of this machine, for as long as a test needs one.</summary>
internal sealed class MachineUser : IAsyncDisposable
{
    private MachineUser(string name) => Name = name;

    public string Name { get; }

    private string Sudoers => Path.Combine("/etc/sudoers.d", Name);

    public static async Task<MachineUser> MakeAsync(string name)
    {
        var user = new MachineUser(name);
        // One that a killed test left.
        await user.DisposeAsync();
        var (exitCode, _, said) = await RunningProgram.RunAsync("useradd", ["--create-home", "--shell", "/bin/sh", name]);
        exitCode.ShouldBe(0, said);
        return user;
    }

    /// <summary>Without a password: nobody is there to type one.</summary>
    public async Task MaySudoAsync()
    {
        // Where sudo reads it, and not before it is whole: what is malformed there would end sudo for everybody.
        var whole = Path.Combine("/etc", Name + ".sudoers");
        await File.WriteAllTextAsync(whole, $"{Name} ALL=(ALL) NOPASSWD: ALL\n");
        File.SetUnixFileMode(whole, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        File.Move(whole, Sudoers, overwrite: true);
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete(Sudoers);
        await RunningProgram.RunAsync("userdel", ["--force", "--remove", Name]);
    }
}
