@echo off
cd /d "%~dp0"
if not exist "installed\Scripts\gapmap.exe" goto missing
set "PATH=%~dp0installed\Scripts;%PATH%"
cmd /k gapmap --help
exit /b

:missing
echo gapmap is not installed yet: start install.bat first.
pause
exit /b 1
